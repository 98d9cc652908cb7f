-- Suspension of partners: as one act of a person, or by the rule of a seller about overdue statements.

-- Now also written by suspensions: partner.
-- What a cluster has to do with an account is computed of its own suspension and its partner's: see provisioning.
alter table partner add column suspended_at timestamptz;
alter table partner add column suspension_reason text;
alter table partner add column suspension_cause text;        -- person | overdue
alter table partner add column suspension_statement_id uuid; -- of an overdue one: the first that was
alter table partner add column suspension_overdue jsonb;     -- likewise {"number": …, "dueOn": …}: what the reason says, for any language
alter table partner add constraint partner_suspension check (
    num_nulls(suspended_at, suspension_reason, suspension_cause) in (0, 3)
    and num_nulls(suspension_statement_id, suspension_overdue) in (0, 2)
    and (suspension_statement_id is not null) = (suspension_cause is not null and suspension_cause = 'overdue'));
alter table partner add constraint partner_suspension_cause check (suspension_cause in ('person', 'overdue'));
alter table partner add constraint partner_suspension_reason check (char_length(suspension_reason) between 1 and 200);
create index partner_suspended_idx on partner (id) where suspended_at is not null;

-- The rule of a seller: overdue for that many days suspends; 0 never.
alter table seller_settings add column suspend_overdue_days smallint not null default 0;
alter table seller_settings add column suspension_warning_days smallint[] not null default '{7,3,1}';
alter table seller_settings add column suspension_rule_since date; -- the day of its last change
alter table seller_settings add constraint seller_settings_suspend_overdue_days check (
    suspend_overdue_days between 0 and 365
    and (suspend_overdue_days = 0 or suspension_rule_since is not null));
alter table seller_settings add constraint seller_settings_suspension_warning_days check (
    cardinality(suspension_warning_days) between 1 and 5);

-- What the rule has announced about a statement, and done. A statement suspends once.
create table overdue_statement (
    statement_id uuid primary key references statement,
    rule_since date not null,    -- the rule that was announced
    warned_days smallint,        -- the last warning: that many days before; null: none was given
    warned_on date,
    suspends_on date,            -- the day that it has announced
    suspended_on date,           -- null: not yet
    constraint overdue_statement_warning check (num_nulls(warned_days, warned_on, suspends_on) in (0, 3))
);

-- What a seller's partners have to pay.
create index statement_overdue_idx on statement (seller_id, id) include (due_on, partner_id)
    where partner_id is not null and due_on is not null and number is not null and paid_on is null
        and voided_at is null and credits is null and (credited = 0 or credited < gross);
