"""Who is told what: events, outgoing webhooks, mails, the inbox, and what each person wants of it."""
