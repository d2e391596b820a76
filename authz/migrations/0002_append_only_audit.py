"""Make the audit log append-only, whoever writes to the table."""

from django.db import migrations

from authz.audit import triggers


class Migration(migrations.Migration):
    dependencies = [("authz", "0001_initial")]

    operations = [
        migrations.RunPython(
            lambda apps, schema_editor: triggers.install(schema_editor.connection),
            lambda apps, schema_editor: triggers.remove(schema_editor.connection),
        ),
        migrations.RunPython(
            lambda apps, schema_editor: apps.get_model("authz", "ConfigurationRevision").objects.create(id=1, number=0),
            migrations.RunPython.noop,
        ),
    ]
