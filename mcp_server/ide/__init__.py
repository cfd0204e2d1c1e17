"""What people reach tasks by: tools, resources and prompts for IDEs."""

from mcp_server.ide.looking import LOOKING_TOOLS
from mcp_server.ide.results import RESULT_TOOLS
from mcp_server.ide.steering import STEERING_TOOLS

IDE_TOOLS = (*STEERING_TOOLS, *LOOKING_TOOLS, *RESULT_TOOLS)
