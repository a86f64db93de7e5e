"""Projects, repositories, Git and registry credentials; source is fetched here, never on a customer's server."""
