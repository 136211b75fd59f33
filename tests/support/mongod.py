"""Names for the databases of single tests."""

from uuid import uuid4


def fresh_database_name() -> str:
    """A name that no other test uses; also good for a virtual host."""
    return f"t{uuid4().hex[:12]}"
