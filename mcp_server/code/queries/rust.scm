(function_item name: (identifier) @name) @function
(function_signature_item name: (identifier) @name) @function
(struct_item name: (type_identifier) @name) @struct
(union_item name: (type_identifier) @name) @struct
(enum_item name: (type_identifier) @name) @enum
(trait_item name: (type_identifier) @name) @trait
(impl_item
  type: [
    (type_identifier) @name
    (generic_type type: (type_identifier) @name)
    (scoped_type_identifier name: (type_identifier) @name)
    (reference_type type: (type_identifier) @name)
  ]) @impl
(mod_item name: (identifier) @name body: (_)) @namespace
(macro_definition name: (identifier) @name) @macro
(source_file (type_item name: (type_identifier) @name) @type)
(associated_type name: (type_identifier) @name) @type
(const_item name: (identifier) @name) @constant
(static_item name: (identifier) @name) @constant

(type_identifier) @reference
(call_expression function: (identifier) @reference)
(call_expression function: (scoped_identifier name: (identifier) @member))
(call_expression function: (field_expression field: (field_identifier) @member))
(call_expression function: (generic_function function: (identifier) @reference))
(macro_invocation macro: (identifier) @reference)
(use_list (identifier) @reference)
(use_declaration argument: (scoped_identifier name: (identifier) @reference))
(use_as_clause path: (identifier) @reference)
(use_as_clause path: (scoped_identifier name: (identifier) @reference))
(scoped_identifier path: (identifier) @reference)
