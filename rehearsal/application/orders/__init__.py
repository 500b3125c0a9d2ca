"""The application that the rehearsal releases: orders, kept in a database."""
