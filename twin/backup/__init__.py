"""What survives: backups of database and files, their restore, and the drill that proves them."""
