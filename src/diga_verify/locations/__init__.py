"""Where Google Cloud keeps data: a dated table of locations, and the algebra over it."""
