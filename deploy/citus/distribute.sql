-- Distributes a region's store over the workers of Citus, by tenant: docs/scaling.md. Run it on the coordinator after
-- `muster migrate`, as often as you like; what is distributed is left alone. Made from the schema by `make docs`.
--
-- Not in it, and local on the coordinator: directory_store, directory_migrations.
CREATE EXTENSION IF NOT EXISTS citus;
SET citus.shard_count = 64;
SELECT create_distributed_table('tenants', 'tenant_id', colocate_with => 'none')
    WHERE NOT EXISTS (SELECT 1 FROM pg_dist_partition WHERE logicalrelid = 'tenants'::regclass);
SELECT create_distributed_table('changes', 'tenant_id', colocate_with => 'tenants')
    WHERE NOT EXISTS (SELECT 1 FROM pg_dist_partition WHERE logicalrelid = 'changes'::regclass);
SELECT create_distributed_table('decisions', 'tenant_id', colocate_with => 'tenants')
    WHERE NOT EXISTS (SELECT 1 FROM pg_dist_partition WHERE logicalrelid = 'decisions'::regclass);
SELECT create_distributed_table('groups', 'tenant_id', colocate_with => 'tenants')
    WHERE NOT EXISTS (SELECT 1 FROM pg_dist_partition WHERE logicalrelid = 'groups'::regclass);
SELECT create_distributed_table('idempotency', 'tenant_id', colocate_with => 'tenants')
    WHERE NOT EXISTS (SELECT 1 FROM pg_dist_partition WHERE logicalrelid = 'idempotency'::regclass);
SELECT create_distributed_table('members', 'tenant_id', colocate_with => 'tenants')
    WHERE NOT EXISTS (SELECT 1 FROM pg_dist_partition WHERE logicalrelid = 'members'::regclass);
SELECT create_distributed_table('outbox', 'tenant_id', colocate_with => 'tenants')
    WHERE NOT EXISTS (SELECT 1 FROM pg_dist_partition WHERE logicalrelid = 'outbox'::regclass);
SELECT create_distributed_table('quirk_counts', 'tenant_id', colocate_with => 'tenants')
    WHERE NOT EXISTS (SELECT 1 FROM pg_dist_partition WHERE logicalrelid = 'quirk_counts'::regclass);
SELECT create_distributed_table('tallies', 'tenant_id', colocate_with => 'tenants')
    WHERE NOT EXISTS (SELECT 1 FROM pg_dist_partition WHERE logicalrelid = 'tallies'::regclass);
SELECT create_distributed_table('tombstones', 'tenant_id', colocate_with => 'tenants')
    WHERE NOT EXISTS (SELECT 1 FROM pg_dist_partition WHERE logicalrelid = 'tombstones'::regclass);
SELECT create_distributed_table('user_emails', 'tenant_id', colocate_with => 'tenants')
    WHERE NOT EXISTS (SELECT 1 FROM pg_dist_partition WHERE logicalrelid = 'user_emails'::regclass);
SELECT create_distributed_table('users', 'tenant_id', colocate_with => 'tenants')
    WHERE NOT EXISTS (SELECT 1 FROM pg_dist_partition WHERE logicalrelid = 'users'::regclass);
