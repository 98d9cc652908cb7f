-- Partners: the use of a partner is written every hour; half of each page is left for it.

alter table partner set (fillfactor = 50);
