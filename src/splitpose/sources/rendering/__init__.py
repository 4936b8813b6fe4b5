"""Pictures of made-up people with known joints, in the manner of film stills."""
