"""The tables of the engine for durable work, in the same database."""

from django.db import migrations


def create(apps, schema_editor):
    from integrations.engine.schema import create_tables

    create_tables()


class Migration(migrations.Migration):
    # The engine makes its tables on a connection of its own.
    atomic = False

    dependencies = [("integrations", "0001_initial")]

    operations = [migrations.RunPython(create, migrations.RunPython.noop)]
