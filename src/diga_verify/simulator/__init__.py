"""A stand-in for the Google Cloud APIs on loopback, served from a world file. It imports nothing else of ours."""
