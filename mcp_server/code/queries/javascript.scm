(function_declaration name: (identifier) @name) @function
(generator_function_declaration name: (identifier) @name) @function
(class_declaration name: (identifier) @name) @class
(method_definition name: [(property_identifier) (private_property_identifier)] @name) @method
(class_body
  (field_definition
    property: (property_identifier) @name
    value: [(arrow_function body: (_) @body) (function_expression body: (_) @body)]) @method)
(class_body (field_definition property: (property_identifier) @name) @field)
(variable_declarator
  name: (identifier) @name
  value: [(arrow_function body: (_) @body) (function_expression body: (_) @body)]) @function
(variable_declarator name: (identifier) @name value: (class body: (_) @body)) @class
(program (lexical_declaration (variable_declarator name: (identifier) @name) @constant))
(program (export_statement (lexical_declaration (variable_declarator name: (identifier) @name) @constant)))
(program
  (expression_statement
    (assignment_expression
      left: (member_expression property: (property_identifier) @name)
      right: [(arrow_function body: (_) @body) (function_expression body: (_) @body)]) @function))

(call_expression function: (identifier) @reference)
(call_expression function: (member_expression property: (property_identifier) @member))
(new_expression constructor: (identifier) @reference)
(new_expression constructor: (member_expression property: (property_identifier) @member))
(class_heritage (identifier) @reference)
(class_heritage (member_expression property: (property_identifier) @member))
(import_specifier name: (identifier) @reference)
(import_clause (identifier) @reference)
(jsx_opening_element name: (identifier) @reference)
(jsx_opening_element name: (member_expression property: (property_identifier) @member))
(jsx_self_closing_element name: (identifier) @reference)
(jsx_self_closing_element name: (member_expression property: (property_identifier) @member))
