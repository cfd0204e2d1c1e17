(function_declaration name: [
  (identifier) @name
  (dot_index_expression field: (identifier) @name)
  (method_index_expression method: (identifier) @name)
]) @function
(assignment_statement
  (variable_list . name: [(identifier) @name (dot_index_expression field: (identifier) @name)] .)
  (expression_list . value: (function_definition body: (_) @body) .)) @function
(chunk (assignment_statement (variable_list . name: (identifier) @name)) @variable)
(chunk (variable_declaration (assignment_statement (variable_list . name: (identifier) @name)) @variable))

(function_call name: (identifier) @reference)
(function_call name: (dot_index_expression field: (identifier) @member))
(function_call name: (method_index_expression method: (identifier) @member))
(function_call name: (dot_index_expression table: (identifier) @reference))
