(class_specifier name: (type_identifier) @name body: (_)) @class
(namespace_definition name: (namespace_identifier) @name) @namespace
(alias_declaration name: (type_identifier) @name) @type
(concept_definition name: (identifier) @name) @type
(function_definition declarator: (function_declarator declarator: [
  (field_identifier) @name
  (operator_name) @name
  (destructor_name) @name
  (qualified_identifier name: (identifier) @name)
  (qualified_identifier name: (operator_name) @name)
  (qualified_identifier name: (destructor_name) @name)
  (qualified_identifier name: (qualified_identifier name: (_) @name))
])) @function
(function_definition declarator: (reference_declarator (function_declarator declarator: [
  (identifier) @name
  (field_identifier) @name
  (operator_name) @name
  (qualified_identifier name: (identifier) @name)
  (qualified_identifier name: (operator_name) @name)
]))) @function
(function_definition declarator: (pointer_declarator declarator: (function_declarator declarator: [
  (field_identifier) @name
  (qualified_identifier name: (identifier) @name)
]))) @function
(field_declaration_list
  (field_declaration declarator: (function_declarator declarator: (field_identifier) @name)) @method)
(field_declaration_list (field_declaration declarator: [
  (pointer_declarator declarator: (function_declarator declarator: (field_identifier) @name))
  (reference_declarator (function_declarator declarator: [(field_identifier) (operator_name)] @name))
]) @method)
(field_declaration_list
  (declaration declarator: (function_declarator declarator: [(identifier) (destructor_name)] @name)) @method)

(call_expression function: (qualified_identifier name: (identifier) @member))
(call_expression function: (template_function name: (identifier) @reference))
