-- Labels of all enums, in their order.
SELECT enumtypid, enumlabel FROM pg_enum ORDER BY enumtypid, enumsortorder
