"""What every emulated service needs: clock, server, calls, faults, ledger, and every change of moto."""
