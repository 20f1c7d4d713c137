// The provider itself is on its way; the formats in `formats/` stand on their own.
export {};
