"""Great Expectations' Data Docs as pages that load nothing from the network."""
