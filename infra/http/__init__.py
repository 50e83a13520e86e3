"""What a process answers over HTTP: metrics and health."""
