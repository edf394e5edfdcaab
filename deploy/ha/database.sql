-- /etc/patroni/database.sql: what the first start makes.
CREATE ROLE partnercenter LOGIN PASSWORD '@OWNER_PASSWORD@';
CREATE DATABASE partnercenter OWNER partnercenter ENCODING 'UTF8' TEMPLATE template0;

-- For connections of PgBouncer, which takes no settings from its clients.
ALTER ROLE partnercenter SET lock_timeout = '10s';
ALTER ROLE partnercenter SET idle_in_transaction_session_timeout = '60s';
