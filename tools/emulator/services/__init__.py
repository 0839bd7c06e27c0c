"""One package per emulated AWS service: backend (state and rules), responses (the wire), errors."""
