(function_definition name: (identifier) @name) @function
(class_definition name: (identifier) @name) @class
(module (type_alias_statement left: (type . (identifier) @name)) @type)
(module (expression_statement (assignment left: (identifier) @name) @constant))
(class_definition
  body: (block (expression_statement (assignment left: (identifier) @name type: (type)) @field)))

(import_from_statement name: (dotted_name (identifier) @import .))
(import_from_statement name: (aliased_import name: (dotted_name (identifier) @import .)))
(wildcard_import) @import_all
(call function: (identifier) @reference)
(call function: (attribute attribute: (identifier) @member))
(decorator (identifier) @reference)
(decorator (attribute attribute: (identifier) @member))
(class_definition superclasses: (argument_list (identifier) @reference))
(class_definition superclasses: (argument_list (attribute attribute: (identifier) @member)))
(type (identifier) @reference)
(type (attribute attribute: (identifier) @member))
(type (generic_type (identifier) @reference))
(type (binary_operator (identifier) @reference))
