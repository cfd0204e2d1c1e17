(class_declaration "interface" name: (identifier) @name (class_body) @body) @interface
(class_declaration "interface" name: (identifier) @name) @interface
(class_declaration name: (identifier) @name [(class_body) (enum_class_body)] @body) @class
(class_declaration name: (identifier) @name) @class
(object_declaration name: (identifier) @name (class_body) @body) @object
(object_declaration name: (identifier) @name) @object
(function_declaration name: (identifier) @name (function_body) @body) @function
(function_declaration name: (identifier) @name) @function
(type_alias type: (identifier) @name) @type
(source_file (property_declaration (variable_declaration (identifier) @name)) @constant)
(class_body (property_declaration (variable_declaration (identifier) @name)) @property)

(user_type (identifier) @reference)
(call_expression . (identifier) @reference)
(call_expression . (navigation_expression (identifier) @member .))
(navigation_expression . (identifier) @reference)
(import (qualified_identifier (identifier) @reference .))
