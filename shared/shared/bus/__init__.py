"""Messaging: the port, its two implementations, topology, consumers and the outbox."""
