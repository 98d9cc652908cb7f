-- What a region can store, in bytes after replication, as the operator states it: no gateway says it.
alter table region add column physical_capacity bigint;
alter table region add column physical_capacity_stated_at timestamptz;
alter table region add constraint region_physical_capacity check (physical_capacity > 0);
alter table region add constraint region_physical_capacity_stated check (
    (physical_capacity is null) = (physical_capacity_stated_at is null));
