"""A lab of real Debian hosts: systemd and sshd in containers, each with a network namespace of its own."""
