"""What the role firewall wishes, and how each packet filter is brought to it."""
