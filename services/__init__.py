"""Services: the ledger, ingest, projecting, alerting, queries. No clocks, threads or sockets."""
