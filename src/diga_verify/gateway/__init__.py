"""The one door to Google: credentials, endpoints, deadlines, retries, answer validation and the call log."""
