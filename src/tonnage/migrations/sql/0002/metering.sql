-- Metering: hourly traffic in partitions by day, as the samples of usage.

select pg_temp.partition_by_day('traffic_hour', 'hour');
