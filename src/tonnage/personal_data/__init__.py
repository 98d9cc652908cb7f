"""Copies of what is stored about a member or an organisation, and the erasure of closed organisations."""
