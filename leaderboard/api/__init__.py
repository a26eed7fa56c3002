"""The API: what the pages show, as JSON. It reads; nothing here writes."""
