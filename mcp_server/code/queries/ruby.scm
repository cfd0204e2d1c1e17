(class name: (constant) @name) @class
(class name: (scope_resolution name: (constant) @name)) @class
(module name: (constant) @name) @module
(module name: (scope_resolution name: (constant) @name)) @module
(method name: (_) @name) @method
(singleton_method name: (_) @name) @method
(program (assignment left: (constant) @name) @constant)
(class body: (body_statement (assignment left: (constant) @name) @constant))
(module body: (body_statement (assignment left: (constant) @name) @constant))

(constant) @reference
(call !receiver method: (identifier) @reference)
(call receiver: (_) method: (identifier) @member)
(body_statement (identifier) @reference)
