"""What signing in needs below any request: how tries are slowed down, and a provider that says who somebody is."""
