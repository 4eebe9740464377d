"""One outside thing a file: Ansible, SSH, the store, files on disk."""
