"""What is plugged in where: mounts, volumes, USB devices, and hints that something changed."""
