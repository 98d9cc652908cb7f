-- Notifications: what members are told of the events of their organisations. No row per event and member: an inbox and a
-- mail are a part of the feed, after a position.

-- What a member has chosen; without a row the default of the organisation's kind counts.
create table notification_preference (
    member_id uuid not null references member on delete cascade,
    kind text not null,
    delivery text not null,
    primary key (member_id, kind),
    constraint notification_preference_delivery check (delivery in ('at_once', 'daily', 'weekly', 'none'))
);

-- Mails that are to be sent, and when the last one was: one for each member and way of delivery.
create table notification_mail (
    member_id uuid not null references member on delete cascade,
    delivery text not null,
    after_position bigint not null,                  -- the mail has the events after this one; of one that was sent: the next one has
    due_at timestamptz,                              -- null: nothing is to be sent
    mailed_at timestamptz,                           -- the last one
    primary key (member_id, delivery),
    constraint notification_mail_delivery check (delivery in ('at_once', 'daily', 'weekly'))
);
create index notification_mail_due_at_idx on notification_mail (due_at, member_id) where due_at is not null;

-- The position through which events have been looked at.
create table notification_progress (
    is_only_row boolean primary key default true check (is_only_row),
    position bigint not null
);
insert into notification_progress (position) select position from event_progress;

-- Through which position a member has read the inbox; without a row nothing.
create table inbox_reading (
    member_id uuid primary key references member on delete cascade,
    position bigint not null
);
