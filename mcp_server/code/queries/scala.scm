(class_definition name: (identifier) @name) @class
(object_definition name: (identifier) @name) @object
(trait_definition name: (identifier) @name) @trait
(enum_definition name: (identifier) @name) @enum
(function_definition name: (identifier) @name) @function
(function_declaration name: (identifier) @name) @function
(type_definition name: (type_identifier) @name) @type
(template_body (val_definition pattern: (identifier) @name) @field)
(compilation_unit (val_definition pattern: (identifier) @name) @constant)

(type_identifier) @reference
(call_expression function: (identifier) @reference)
(call_expression function: (field_expression field: (identifier) @member))
(call_expression function: (generic_function function: (identifier) @reference))
(field_expression value: (identifier) @reference)
(import_declaration path: (identifier) @reference .)
