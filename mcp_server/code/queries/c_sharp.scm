(class_declaration name: (identifier) @name) @class
(record_declaration name: (identifier) @name) @class
(struct_declaration name: (identifier) @name) @struct
(interface_declaration name: (identifier) @name) @interface
(enum_declaration name: (identifier) @name) @enum
(delegate_declaration name: (identifier) @name) @type
(namespace_declaration name: (_) @name) @namespace
(method_declaration name: (identifier) @name) @method
(constructor_declaration name: (identifier) @name) @constructor
(destructor_declaration name: (identifier) @name) @method
(operator_declaration operator: _ @name) @method
(local_function_statement name: (identifier) @name) @function
(property_declaration name: (identifier) @name accessors: (_) @body) @property
(property_declaration name: (identifier) @name) @property
(event_field_declaration (variable_declaration (variable_declarator name: (identifier) @name))) @field
(field_declaration (variable_declaration (variable_declarator name: (identifier) @name))) @field

(invocation_expression function: (identifier) @reference)
(invocation_expression function: (generic_name (identifier) @reference))
(invocation_expression function: (member_access_expression name: (identifier) @member))
(invocation_expression function: (member_access_expression name: (generic_name (identifier) @member)))
(member_access_expression expression: (identifier) @reference)
(object_creation_expression type: (identifier) @reference)
(generic_name (identifier) @reference)
(type_argument_list (identifier) @reference)
(base_list (identifier) @reference)
(parameter type: (identifier) @reference)
(variable_declaration type: (identifier) @reference)
(property_declaration type: (identifier) @reference)
(method_declaration returns: (identifier) @reference)
(delegate_declaration type: (identifier) @reference)
(nullable_type type: (identifier) @reference)
(array_type type: (identifier) @reference)
(type_parameter_constraint type: (identifier) @reference)
(cast_expression type: (identifier) @reference)
(attribute name: (identifier) @reference)
