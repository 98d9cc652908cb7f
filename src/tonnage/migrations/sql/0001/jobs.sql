-- Why a job failed last: the queue's library keeps only that it did. No foreign key: the queue's tables are not ours.

create table job_failure (
    job_id bigint primary key,
    failed_at timestamptz not null,
    reason text not null
);
