"""The ground: settings, the URL map and the API conventions that every app shares."""
