"""MongoDB: one client a process, and indexes declared as data."""
