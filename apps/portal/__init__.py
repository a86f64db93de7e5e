"""The server-rendered portal: frame, navigation, dashboard, account pages."""
