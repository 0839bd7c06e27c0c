"""What every emulated service needs: clock, server, calls, faults, ledger."""
