"""SNS as it behaves: true events for functions, mails in a folder, its rules for subjects and its limit on mails."""
