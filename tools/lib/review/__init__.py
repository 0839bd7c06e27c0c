"""The review of a scan: reports joined with the table, shown, exported, decided on."""
