"""Sealing of secrets at rest."""
