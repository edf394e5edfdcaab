-- +goose Up
-- +goose StatementBegin

-- One server counts requests in memory.
SELECT 1;

-- +goose StatementEnd
