alter table seller_settings add column mail_documents boolean not null default false;
