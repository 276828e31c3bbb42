"""What is told of requests to whoever runs the server: metrics, logs, an audit log, traces. Never a value."""
